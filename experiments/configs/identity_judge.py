"""The judge of l_cross_id for who has no ArcFace file: a small net on rendered people.

    python -m experiments.train --config experiments/configs/identity_judge.py \
        --workdir runs/identity --set records=corpus
    python -m experiments.identity_run runs/identity --out identity.npz

On 208 people in 12 stills each (64 px; corpus as in `ablate_disentanglement`): one to
two minutes of CPU time for the 200 steps. 24 people it has not seen are told apart with
9.7 % equal error (mean cosine .69 with themselves, .02 with others).
"""

from experiments.identity_run import IdentityRun


def get_config() -> IdentityRun:
  return IdentityRun(
    steps=200,
    batch_size=16,
    learning_rate=2e-3,
    warmup_steps=20,
    weight_decay=0.02,
    ema_decay=0.98,
    log_every=10,
    devices=1,
  )
