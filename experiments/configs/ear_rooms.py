"""The ear of the embedded weights, taught to hear through rooms (`ear_run.py`).

Made in two legs of 40 and 20 minutes on two busy CPU cores, `minutes` ending both
(docs/training.md has commands and figures).
"""

from experiments.ear_run import EarRun


def get_config() -> EarRun:
  return EarRun(
    # Of all parts these learned most in as many steps (docs/training.md).
    tuned=('conv2', 'layers_0/ffn', 'layers_0/norm', 'layers_1/norm', 'norm'),
    speeches=2400,
    seed=31,
    steps=4000,
    batch_size=8,
    learning_rate=5e-4,
    beta2=0.99,
    warmup_steps=50,
    ema_decay=0.99,
    log_every=25,
    save_every=250,
    eval_every=250,
    devices=1,
  )
