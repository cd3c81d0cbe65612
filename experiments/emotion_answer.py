"""How much of each emotion a motion model shows, score by score.

    python -m experiments.emotion_answer --weights DIR
    python -m experiments.emotion_answer --weights embedded --dry

Held-out speakers of the corpus act each emotion at nine scores; how much of its face is
seen, the mean over speakers, goes into the weights' `config.json`, where `vasa
generate` reads it to make `--emotion happy=0.5` half of what `happy=1` is
(`vasa_jax/inference/emotion_answer.py`). Four minutes on two cores for 8 speakers.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UserError

# Small scores show little: there the curves bend.
SCORES = (0.0, 0.125, 0.1875, 0.25, 0.3125, 0.375, 0.5, 0.75, 1.0)
# An emotion may fall by so much of its face from one score to the next: by chance.
CHANCE = 0.02


def measured(weights: str, speakers: int, seed: int) -> dict[str, Any]:
  """The fields of an `EmotionAnswer` of a weights folder.

  Raises:
    UserError: what it shows of an emotion does not rise with the score.
  """
  from data_pipelines.motion_hearing import front_end
  from experiments.judge_motion import watched
  from experiments.motion_judging import speakers as speaking
  from experiments.motion_judging import systems, trials
  from vasa_jax.inference.bundle import load_bundle
  from vasa_jax.inference.emotion_answer import SHOWN

  bundle = load_bundle(None if weights == 'embedded' else weights)
  ear = front_end(bundle.hears)
  people = list(watched(speaking.speakers(speakers, seed), 'speakers'))
  heard = [ear.hear(one.audio)[: trials.EXCERPT] for one in people]
  heard = [h.astype(np.float32) * ear.scale + ear.offset for h in heard]
  rows = trials.emotion_rows(systems.model(bundle).act, people, heard, SCORES)
  curves = {}
  for name, row in zip(SHOWN, rows, strict=True):
    amounts = np.asarray(row['amounts'])
    if amounts[-1] <= 0 or np.any(np.diff(amounts) < -CHANCE):
      raise UserError(f'{weights}: what is shown of {name} does not rise: {amounts}')
    curves[name] = np.maximum.accumulate(amounts).round(3).tolist()
  return {'scores': list(SCORES), 'amounts': curves}


def noted(config: str, answer: dict[str, Any]) -> str:
  """The text of a weights folder's `config.json` with the answer in its `meta`."""
  from vasa_jax.inference.emotion_answer import NAME

  values = json.loads(config)
  values.setdefault('meta', {})[NAME] = answer
  return json.dumps(values, indent=2) + '\n'


def main(argv: Sequence[str] | None = None) -> int:
  """Entry point; returns the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.emotion_answer', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  parser.add_argument('--weights', default='embedded', metavar='DIR')
  parser.add_argument('--speakers', type=int, default=8, help='held-out ones')
  parser.add_argument('--seed', type=int, default=0, help='another seed, other people')
  parser.add_argument('--dry', action='store_true', help='print it, write nothing')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    from vasa_jax.files import refused, write_whole
    from vasa_jax.inference.bundle import EMBEDDED

    answer = measured(args.weights, args.speakers, args.seed)
    print(json.dumps(answer))
    folder = EMBEDDED if args.weights == 'embedded' else Path(args.weights)
    if not args.dry:
      file = folder / 'config.json'
      try:
        write_whole(file, noted(file.read_text(encoding='utf-8'), answer))
      except OSError as error:
        raise refused(file, error) from error
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
