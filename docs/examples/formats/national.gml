graph [
  directed 1
  Network "two sites"
  node [ id 0 label "North" Latitude 50.91 Longitude 6.41 ]
  node [ id 1 label "S&#252;d" Latitude 44.49 Longitude 11.34 ]
  edge [ source 0 target 1 LinkSpeedRaw 100000000000.0 ]
  edge [ source 1 target 0 LinkSpeedRaw 100000000000.0 ]
]
