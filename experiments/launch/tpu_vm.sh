#!/usr/bin/env bash
# Trains on a Cloud TPU slice: makes it, installs the tree on every host, starts the same
# command on each, and goes on after a preemption when it is called again.
#
#   NAME=vasa ZONE=us-east5-b TYPE=v5litepod-16 WORKDIR=gs://bucket/face \
#     CONFIG=experiments/configs/face_paper.py experiments/launch/tpu_vm.sh [NAME=VALUE ...]
set -euo pipefail
: "${NAME:?name of the slice}" "${ZONE:?}" "${TYPE:?}" "${WORKDIR:?gs:// folder}" "${CONFIG:?}"
IMAGE="${IMAGE:-v2-alpha-tpuv5-lite}"
HERE="$(cd "$(dirname "$0")/../.." && pwd)"
tpu() { gcloud compute tpus tpu-vm "$@" --zone="$ZONE"; }

# A preempted slice cannot be started again: it is made anew, and the run resumes.
STATE="$(tpu describe "$NAME" --format='value(state)' 2>/dev/null || true)"
if [[ "$STATE" == PREEMPTED || "$STATE" == TERMINATED ]]; then
  tpu delete "$NAME" --quiet
  STATE=
fi
if [[ -z "$STATE" ]]; then
  tpu create "$NAME" --accelerator-type="$TYPE" --version="$IMAGE" --spot
fi

tar -C "$HERE" --exclude=.git --exclude=.venv --exclude=runs --exclude=records \
  -czf /tmp/vasa_jax.tgz .
tpu scp /tmp/vasa_jax.tgz "$NAME:" --worker=all
tpu ssh "$NAME" --worker=all --command='
  set -e
  mkdir -p vasa_jax && tar -C vasa_jax -xzf vasa_jax.tgz && cd vasa_jax
  test -x .venv/bin/python || python3 -m venv .venv
  .venv/bin/pip install -q -e ".[data]" "jax[tpu]>=0.10.2,<0.13" "etils[epath-gcs]"'

# JAX finds the slice by itself; SIGTERM of a preemption saves at an agreed step.
SET=("$@")
tpu ssh "$NAME" --worker=all --command="
  cd vasa_jax && exec .venv/bin/python -m experiments.train --distributed \
    --config $(printf %q "$CONFIG") --workdir $(printf %q "$WORKDIR") \
    ${SET[*]:+--set $(printf '%q ' "${SET[@]}")}"
