"""Stage 1 between `lite` and `paper`: 512 px on one accelerator, rendered stills.

    python -m experiments.fetch_weights vgg16
    python -m data_pipelines.synthetic.synthesize --clips 4000 --size 512 --stills 1 \
        --frames 16 --out corpus --workers 16
    python -m experiments.train --config experiments/configs/face_base.py \
        --workdir runs/face_base --set records=corpus

The recipe of `lite` with a net that is forty times the work a frame; stage 2 of `lite`
drives it, since both are told the corpus's labels. Not trained yet: no accelerator was
at hand. What the same recipe gains by samples at 256 px is in docs/training.md.
"""

from experiments.face_run import FaceRun
from vasa_jax.face.config import base
from vasa_jax.face.losses import LossConfig


def get_config() -> FaceRun:
  return FaceRun(
    model=base(),
    losses=LossConfig(perceptual_crop=128),
    steps=100_000,
    batch_size=16,
    drivers=2,
    workers=8,
    learning_rate=5e-4,
    beta2=0.98,
    warmup_steps=500,
    ema_decay=0.999,
    log_every=100,
    save_every=1000,
    preview_every=1000,
    eval_every=5000,
  )
