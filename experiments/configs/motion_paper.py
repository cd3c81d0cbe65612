"""Stage 2 as VASA-1 publishes it: 8 layers, 512 wide, 28 M parameters.

    python -m experiments.cache_latents --records RECORDS --weights FACE --out cache
    python -m experiments.train --config experiments/configs/motion_paper.py \
        --workdir runs/motion_paper --set cache=cache

The paper: about 3 days on four RTX A6000. Optimiser, rate and batch are not published;
these are DiffPoseTalk's rate and warm-up with a batch for four devices. The size of an
audio feature and of `z_dyn` must be those of the cache.
"""

from experiments.motion_run import MotionRun
from vasa_jax.motion.config import paper


def get_config() -> MotionRun:
  return MotionRun(
    model=paper(),
    augment=False,
    steps=400_000,
    batch_size=256,
    learning_rate=1e-4,
    warmup_steps=5000,
    weight_decay=0.01,
    ema_decay=0.9999,
    log_every=100,
    save_every=5000,
    eval_every=20_000,
    preview_every=20_000,
  )
