"""Stage 2 as VASA-1 publishes it: 8 layers, 512 wide, 28.4 M parameters.

    python -m experiments.cache_latents --records RECORDS --weights FACE --out cache
    python -m experiments.train --config experiments/configs/motion_paper.py \
        --workdir runs/motion_paper --set cache=cache

Hardware. The paper: about 3 days on a workstation of four RTX A6000, for this network,
with about 500,000 clips of 2 to 10 s; steps, batch, optimiser and rate are not
published. Here: AdamW at DiffPoseTalk's rate and warm-up, a batch of 256 windows over
all devices (64 each on four), 400,000 steps, 102 M windows of 4 s.

Work and memory, counted, not run: a forward pass of one window costs 13 GFLOP
(`python -m experiments.benchmarks.motion --preset paper`: encode and step, over three
evaluations), a training step of 256 three times that each, 10 TFLOP, the whole run
4 EFLOP. With `--set model.dtype=bfloat16`, at 30 % of a device's peak, about

    4 x RTX A6000 (155 TFLOP/s)     6 hours
    1 x A100 (312)                 12 hours
    1 x H100 (989)                  4 hours
    8 x TPU v4 (275)                2 hours

where the loader keeps up: a batch is 98 MB of features (125 frames of 768), 17 MB of
motion. In float32 two to eight times as long. The paper's three days leave room for a
longer run. State: parameters, AdamW and EMA are 455 MB a device.

What to expect: nobody has trained it. `eval/x0` starts at 1, the variance of z-scored
motion. The size of an audio feature and of `z_dyn` must be those of the cache.
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
