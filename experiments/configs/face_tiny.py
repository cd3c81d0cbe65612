"""Stage 1 at 64 px straight from the renderer: a minute on a CPU, for looking around.

    python -m experiments.train --config experiments/configs/face_tiny.py \
        --workdir runs/face_tiny
"""

from experiments.face_run import FaceRun
from vasa_jax.face.config import tiny
from vasa_jax.face.losses import LossConfig


def get_config() -> FaceRun:
  return FaceRun(
    model=tiny(),
    losses=LossConfig(perceptual=0.0, consistency=0.1),
    source='live',
    workers=1,
    pool=32,
    pool_start=8,
    steps=100,
    batch_size=4,
    held_out=2,
    log_every=10,
    devices=1,
  )
