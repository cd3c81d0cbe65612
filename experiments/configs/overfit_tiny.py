"""Eight clips learned by heart at 64 px: a check that the net and the engine learn.

    python -m experiments.eight_clips --out eight
    python -m experiments.train --config experiments/configs/overfit_tiny.py \
        --workdir runs/overfit --set records=eight

`psnr` in the last line of metrics.jsonl, and in done.json, is the mean over the clips'
drivers since the line before, each before its update: random pairs of frames, whole
pictures. On two cores that did nothing else 30 dB were reached after 131 s, 30.3 after
the 175 s that it takes, compilation included.

The pixel path is wider than that of `tiny`, and hidden surface counts more: what the
narrow one cannot keep is what the portrait does not show, the place behind a head that
has moved away, and its mask then shuts the paint out (its mean goes to 0.99).
"""

import dataclasses

from experiments.face_run import FaceRun
from vasa_jax.face.config import PixelPathConfig, tiny
from vasa_jax.face.losses import LossConfig


def get_config() -> FaceRun:
  path = PixelPathConfig(prior_size=32, features=16, width=32, blocks=1, fine_width=24)
  return FaceRun(
    model=dataclasses.replace(tiny(), pixel_path=path),
    losses=LossConfig(
      gradient=0.05, perceptual=0.0, paint=1.0, motion=0.0, eye_mouth=2.0, hidden=6.0
    ),
    records='eight',
    augment=False,
    steps=100_000,
    minutes=2.9,
    batch_size=4,
    drivers=2,
    learning_rate=6e-3,
    beta2=0.98,
    warmup_steps=30,
    final_lr_ratio=0.001,
    log_every=50,
    save_every=0,
    held_out=0,
    devices=1,
  )
