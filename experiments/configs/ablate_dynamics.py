"""How large z_dyn should be: the net of `ablate_disentanglement` with four sizes.

    python -m experiments.sweep experiments/configs/ablate_dynamics.py \
        --workdir runs/dynamics --set records=corpus \
        judges.arcface=identity.npz
    python -m experiments.oracle_table runs/dynamics --oracle oracle --base dyn128 \
        --out table

Corpus, judge and oracle set are made as `ablate_disentanglement` says. The paper gives
no size; MegaPortraits has 512, its authors' later EMOPortraits 128, after finding that
18 directions hold 99 % of the variance and that more leaks. There is no `init_from`: a
pose net belongs to a net of one size.

About 3 steps a second on two CPU cores. Figures: not measured.
"""

import dataclasses

from experiments.ablation_run import AblationRun
from experiments.configs import ablate_disentanglement


def get_config() -> AblationRun:
  return dataclasses.replace(ablate_disentanglement.get_config(), steps=6000)


def sweep():
  for size in (16, 64, 128, 512):
    yield f'dyn{size}', {'model.dyn_dim': size}
