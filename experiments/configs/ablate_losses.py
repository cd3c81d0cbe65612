"""What each loss of `lite` is worth: equally long without each of them in turn.

    python -m data_pipelines.synthetic.synthesize --clips 208 --size 128 --stills 1 \
        --frames 12 --art 0 --plain --out corpus
    python -m data_pipelines.synthetic.oracle_set --size 128 --identities 16 \
        --out oracle
    python -m experiments.sweep experiments/configs/ablate_losses.py \
        --workdir runs/ablate_losses --set records=corpus
    python -m experiments.oracle_table runs/ablate_losses --oracle oracle --base full \
        --out table

Net, terms and weights are those of `lite`, at half its resolution. Without
`motion` the motion encoder learns nothing and the pictures stay the same: `--own-eyes`
shows it. With `steps=250`, on two busy CPU cores, 75 to 140 s a run: docs/training.md
has the table.
"""

import dataclasses

from experiments.ablation_run import AblationRun
from experiments.configs import face_lite

TERMS = (
  'pixel', 'gradient', 'perceptual', 'warped', 'paint', 'flow', 'motion', 'eye_mouth',
  'hidden',
)  # fmt: skip


def get_config() -> AblationRun:
  base = face_lite.get_config()
  settings = {f.name: getattr(base, f.name) for f in dataclasses.fields(base)}
  return dataclasses.replace(
    AblationRun(**settings),
    model=dataclasses.replace(base.model, size=128),
    losses=dataclasses.replace(base.losses, perceptual_crop=32),
    steps=400,
    minutes=None,
    held_out=0,
    ema_decay=0.98,
    save_every=200,
    log_every=20,
  )


def sweep():
  yield 'full', {}
  for term in TERMS:
    yield f'no_{term}', {'off': (term,)}
