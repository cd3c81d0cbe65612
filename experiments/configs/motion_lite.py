"""Stage 2 of the embedded weights: 5.5 M parameters on acted speech.

    python -m experiments.cache_latents --speech 2300 --seed 11 --out cache --workers 2
    python -m experiments.train --config experiments/configs/motion_lite.py \
        --workdir runs/motion_lite --set cache=cache

2300 performances are 6 hours of speech, half an hour on two busy cores. Two CPU cores,
an hour of training (`minutes`), some 5,000 steps: the embedded weights had 5,992 in 89
minutes (docs/training.md). Held out: mouth_r .87, jaw_spread 1.19, delta_p .34 (true
.33).
"""

from experiments.motion_run import MotionRun
from vasa_jax.motion.config import lite


def get_config() -> MotionRun:
  return MotionRun(
    model=lite(),
    steps=20_000,
    minutes=60.0,
    batch_size=32,
    learning_rate=6e-4,
    beta2=0.99,
    warmup_steps=100,
    weight_decay=0.02,
    ema_decay=0.995,
    log_every=50,
    save_every=500,
    augment=False,
    eval_every=1000,
    preview_every=1000,
  )
