#!/usr/bin/env bash
# Starts a Slurm controller with eight virtual nodes n0 to n7 on this host, under a topology.conf, and runs a command inside.
#   slurm-cluster.sh TOPOLOGY.CONF COMMAND…
# Needs root, slurmctld, slurmd and munged. Everything lives in one folder that is removed at the end.
set -euo pipefail
topology=$1
shift
dir=$(mktemp -d)
host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  sleep 0.5
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap cleanup EXIT
cp "$topology" "$dir/topology.conf"
cat > "$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
TopologyPlugin=topology/tree
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
NodeName=n[0-7] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17000-17007] CPUs=1 State=UNKNOWN
PartitionName=all Nodes=n[0-7] Default=YES MaxTime=INFINITE State=UP
CONF
mkdir -p "$dir/state" "$dir/munge"
for i in 0 1 2 3 4 5 6 7; do mkdir -p "$dir/spool.n$i"; done
if ! pgrep -x munged >/dev/null 2>&1; then
  mkdir -p /run/munge && chown munge:munge /run/munge
  su -s /bin/sh munge -c '/usr/sbin/munged --force' >"$dir/munged.log" 2>&1
fi
slurmctld -c -D >"$dir/ctld.out" 2>&1 &
pids+=($!)
for i in 0 1 2 3 4 5 6 7; do
  slurmd -N "n$i" -D >"$dir/slurmd$i.out" 2>&1 &
  pids+=($!)
done
for _ in $(seq 1 60); do
  if [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = 8 ]; then break; fi
  sleep 0.5
done
if [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" != 8 ]; then
  echo 'the eight nodes did not come up' >&2
  tail -20 "$dir"/*.log "$dir"/*.out >&2 || true
  exit 1
fi
"$@"
