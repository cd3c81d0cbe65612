"""Stage 2 in half a minute: shows that everything holds together, learns little.

    python -m experiments.cache_latents --speech 40 --features log-mel --out cache
    python -m experiments.train --config experiments/configs/motion_tiny.py \
        --workdir runs/motion_tiny --set cache=cache

Two CPU cores, under a minute. Held-out x0 error 0.30 (1 is the mean motion), mouth_r
0.56.
"""

from experiments.motion_run import MotionRun
from vasa_jax.motion.config import tiny


def get_config() -> MotionRun:
  return MotionRun(
    model=tiny(),
    steps=300,
    batch_size=16,
    learning_rate=2e-3,
    warmup_steps=20,
    ema_decay=0.98,
    held_out_clips=2,
  )
