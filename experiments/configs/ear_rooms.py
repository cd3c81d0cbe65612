"""The ear of the embedded weights, taught to hear through rooms (`ear_run.py`)."""

from experiments.ear_run import EarRun


def get_config() -> EarRun:
  return EarRun(
    steps=1500,
    batch_size=8,
    learning_rate=3e-4,
    beta2=0.99,
    warmup_steps=50,
    ema_decay=0.99,
    log_every=25,
    save_every=250,
    eval_every=250,
    devices=1,
  )
