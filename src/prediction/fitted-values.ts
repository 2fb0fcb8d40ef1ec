/** Values of the measured model; written by bench/fit-collectives.mjs from public measurements of 39 systems. */
export interface FittedValues {
  /** Natural logs, in the order of PARAMETERS. */
  readonly values: readonly number[];
  /** Log deviation that the physics leaves between sizes of a curve, and of a measurement around its own mean. */
  readonly shape: number;
  readonly noise: number;
  /** Deviations from the prediction within which nine of ten measurements of systems left out fall: without and with six sizes given. */
  readonly reach: number;
  readonly reachCalibrated: number;
}

export const FITTED: FittedValues = {
  shape: 0.12,
  noise: 0.04,
  reach: 2.281,
  reachCalibrated: 1.534,
  values: [
    2.3852, // launch volta: 10.9 µs
    2.2812, // launch ampere: 9.79 µs
    1.8585, // launch hopper: 6.41 µs
    2.173, // launch blackwell: 8.78 µs
    2.1769, // launch cdna: 8.82 µs
    2.3384, // launch other: 10.4 µs
    -0.3224, // hop volta: 0.724 µs
    -0.2871, // hop ampere: 0.750 µs
    -0.4463, // hop hopper: 0.640 µs
    -0.0583, // hop blackwell: 0.943 µs
    -0.4233, // hop cdna: 0.655 µs
    -0.4212, // hop other: 0.656 µs
    0.2038, // pcieHop: 1.23 factor
    -0.7149, // packet: 0.489 factor
    2.9055, // packetSize: 18.3 KiB
    -0.2945, // ring volta: 0.745 share
    -0.3208, // ring ampere: 0.726 share
    -0.3057, // ring hopper: 0.737 share
    -0.3816, // ring blackwell: 0.683 share
    -0.3105, // ring cdna: 0.733 share
    -0.3205, // ring other: 0.726 share
    -0.2432, // pcie: 0.784 share
    -3.39, // crossing: 0.0337 share
    -0.143, // exchange: 0.867 factor
    0.378, // exchangeHop: 1.46 steps
    -0.587, // switchReduce volta: 0.556 share
    -0.587, // switchReduce ampere: 0.556 share
    -0.54, // switchReduce hopper: 0.583 share
    -0.6401, // switchReduce blackwell: 0.527 share
    -0.587, // switchReduce cdna: 0.556 share
    -0.587, // switchReduce other: 0.556 share
    2.9687, // switchLaunch: 19.5 µs
    3.02, // fill volta: 20.5 µs
    3.1208, // fill ampere: 22.7 µs
    3.0965, // fill hopper: 22.1 µs
    3.2217, // fill blackwell: 25.1 µs
    3.0744, // fill cdna: 21.6 µs
    3.0245, // fill other: 20.6 µs
    -2.9518, // fillRank: 0.0522 share
    4.3968, // switchFill: 81.2 µs
    1.7152, // netHop infiniband: 5.56 µs
    2.0807, // netHop roce: 8.01 µs
    1.8506, // netHop slingshot: 6.36 µs
    3.6878, // hostedHop efa: 40.0 µs
    4.0094, // hostedHop gpudirect-tcpx: 55.1 µs
    3.7663, // hostedHop tcp: 43.2 µs
    1.2303, // amdHop: 3.42 factor
    -0.6597, // netPacket infiniband: 0.517 factor
    -0.6168, // netPacket roce: 0.540 factor
    -0.4305, // netPacket slingshot: 0.650 factor
    -0.5664, // netPacket efa: 0.568 factor
    -0.6604, // netPacket gpudirect-tcpx: 0.517 factor
    -0.559, // netPacket tcp: 0.572 factor
    2.4383, // netPacketSize: 11.5 KiB
    -0.0682, // net infiniband: 0.934 share
    -0.058, // net roce: 0.944 share
    -0.0514, // net slingshot: 0.950 share
    -0.1048, // net efa: 0.901 share
    -0.0385, // net gpudirect-tcpx: 0.962 share
    -0.0592, // net tcp: 0.943 share
    1.1456, // netFill infiniband: 3.14 µs
    1.1918, // netFill roce: 3.29 µs
    1.3282, // netFill slingshot: 3.77 µs
    1.4068, // netFill efa: 4.08 µs
    1.2351, // netFill gpudirect-tcpx: 3.44 µs
    1.3195, // netFill tcp: 3.74 µs
    0.6489, // netRamp infiniband: 1.91 µs
    0.6971, // netRamp roce: 2.01 µs
    0.7567, // netRamp slingshot: 2.13 µs
    0.803, // netRamp efa: 2.23 µs
    0.6567, // netRamp gpudirect-tcpx: 1.93 µs
    0.7207, // netRamp tcp: 2.06 µs
    -0.6622, // tree: 0.516 share
    4.8, // treeFill: 122 µs
    -0.0684, // pair: 0.934 share
    7.1976, // congestion: 1.34e+3 nodes
  ],
};
