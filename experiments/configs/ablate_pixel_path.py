"""What the prior, the exact flow and the pixel path buy, at equal steps (64 px).

    python -m experiments.sweep experiments/configs/ablate_pixel_path.py \
        --workdir runs/ablate_pixel_path
    python -m experiments.report runs/ablate_pixel_path

Four runs of `face_tiny`; the figure to compare is `eval/psnr` on held-out talking heads
beside its floors `eval/warp_psnr` and `eval/copy_psnr`.
"""

import dataclasses

from experiments.configs import face_tiny
from experiments.face_run import FaceRun


def get_config() -> FaceRun:
  return dataclasses.replace(
    face_tiny.get_config(), steps=600, pool=96, pool_start=64, held_out=8, log_every=100
  )


def sweep():
  yield 'full', {}
  yield 'no_exact_flow', {'losses.flow': 0.0}
  yield 'no_prior', {'model.pixel_path.prior': False}
  # G2D has to reach the picture's size by itself: one width more for each doubling.
  widths = (16, 16, 16, 16)
  yield 'no_pixel_path', {'model.pixel_path': None, 'model.decoder_channels': widths}
