"""CAPP (`vasa_jax/teachers/capp.py`) on acted speech: poses and log-mel, no pictures.

    python -m experiments.cache_latents --speech 800 --seed 21 --features log-mel \
        --npz --out cache
    python -m experiments.train --config experiments/configs/capp.py \
        --workdir runs/capp --set cache=cache

2.07 hours, minutes on two CPU cores. 100 speakers of the test split: .42 in time, -.08
four frames off; .38 and .39 where the motion is a fifth or three times as large.
"""

from experiments.capp_run import CappRun


def get_config() -> CappRun:
  return CappRun(
    steps=800,
    batch_size=32,
    learning_rate=2e-3,
    beta2=0.98,
    warmup_steps=30,
    weight_decay=0.02,
    ema_decay=0.98,
    log_every=25,
    save_every=100,
    eval_every=0,
    devices=1,
  )
