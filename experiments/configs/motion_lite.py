"""Stage 2 of the embedded weights: 5.5 M parameters on acted speech.

    python -m experiments.cache_latents --speech 1200 --out cache --workers 2
    python -m experiments.train --config experiments/configs/motion_lite.py \
        --workdir runs/motion_lite --set cache=cache

1200 performances are 2.7 hours of speech, 68 MiB, 10 minutes on two busy cores. Two CPU
cores, 15 minutes of training (`minutes`).
"""

from experiments.motion_run import MotionRun
from vasa_jax.motion.config import lite


def get_config() -> MotionRun:
  return MotionRun(
    model=lite(),
    steps=20_000,
    minutes=15.0,
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
