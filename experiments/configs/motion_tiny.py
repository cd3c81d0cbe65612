"""Stage 2 in half a minute: shows that everything holds together, learns little.

    python -m experiments.cache_latents --speech 40 --out cache
    python -m experiments.train --config experiments/configs/motion_tiny.py \
        --workdir runs/motion_tiny --set cache=cache

Two CPU cores, 30 s. Held-out loss falls from 1.0 to about 0.8.
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
