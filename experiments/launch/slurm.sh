#!/usr/bin/env bash
#SBATCH --job-name=vasa
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Trains on GPU nodes, one process a node with all its GPUs:
#
#   sbatch experiments/launch/slurm.sh --config experiments/configs/face_paper.py \
#     --workdir /scratch/face [--set NAME=VALUE ...]
#
# Three minutes before the time limit Slurm sends SIGTERM: the run saves and ends, and is
# put back into the queue, where the same command goes on. A sweep as a job array:
#
#   sbatch --nodes=1 --array=1-$(python -m experiments.sweep FILE --workdir DIR --list | wc -l) \
#     experiments/launch/slurm.sh --sweep FILE --workdir DIR
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:?start this file with sbatch}"
PYTHON="${PYTHON:-.venv/bin/python}"

if [[ "${1:-}" == --sweep ]]; then
  FILE="$2"
  shift 2
  LINE="$("$PYTHON" -m experiments.sweep "$FILE" "$@" --list |
    sed -n "${SLURM_ARRAY_TASK_ID:?--sweep needs --array}p")"
  exec srun "$PYTHON" -m experiments.sweep "$FILE" "$@" --only "${LINE%%$'\t'*}"
fi

JOINED=()
((SLURM_NNODES > 1)) && JOINED=(--distributed)
WORKDIR=
for ((i = 1; i < $#; i++)); do
  [[ "${!i}" == --workdir ]] && j=$((i + 1)) && WORKDIR="${!j}"
done

# One failed process ends them all; otherwise they would wait for its heartbeat.
srun --kill-on-bad-exit=1 "$PYTHON" -m experiments.train "${JOINED[@]}" "$@"

if [[ -n "$WORKDIR" && ! -e "$WORKDIR/done.json" ]]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
