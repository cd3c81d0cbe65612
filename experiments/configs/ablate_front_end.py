"""What stage 2 hears: log-mel, Wav2Vec2, HuBERT or Whisper, at equal steps.

    python -m experiments.cache_latents --speech 1200 --out caches/log-mel
    python -m experiments.cache_latents --speech 1200 --out caches/wav2vec2 \
        --features wav2vec2:FOLDER
    python -m experiments.cache_latents --speech 1200 --out caches/hubert \
        --features hubert:FOLDER
    python -m experiments.cache_latents --speech 1200 --out caches/whisper \
        --features whisper:FOLDER
    python -m experiments.sweep experiments/configs/ablate_front_end.py \
        --workdir runs/front_end

The same performances, heard by each; FOLDER holds the published weights (base sizes of
768; `tiny.en` of 384), which are not ours to pass on. A run without its cache fails and
is listed; the others go on. The voice is not changed in training (`augment`), since
only log-mel features can be. Compare `eval/mouth_r` and `eval/x0`; then
`experiments.judge_motion --features ...` on exact truth.

Two CPU cores: 20 minutes a run, beside the hearing of 2.7 hours of speech. Figures: not
measured.
"""

import dataclasses

from experiments.configs import motion_lite
from experiments.motion_run import MotionRun

SIZES = {'log-mel': 320, 'wav2vec2': 768, 'hubert': 768, 'whisper': 384}


def get_config() -> MotionRun:
  return dataclasses.replace(
    motion_lite.get_config(), steps=5000, minutes=None, augment=False
  )


def sweep():
  for name, size in SIZES.items():
    yield name, {'cache': f'caches/{name}', 'model.audio_dim': size}
