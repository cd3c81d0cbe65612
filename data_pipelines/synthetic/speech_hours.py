"""How much distinct speech there is: `python -m data_pipelines.synthetic.speech_hours`.

    python -m data_pipelines.synthetic.speech_hours [--split train] [--count 300] \\
      [--voices flite espeak]

Really speaks a sample and says how long its speech is, how much of it sounds, and how
many hours of different texts its languages hold at least: draws of a text meet by
chance, and how rarely they meet tells how many there are (n draws that meet in m pairs
come from about n^2 / 2m texts, fewer where some are likelier than others).
"""

import argparse
import collections
import dataclasses
import hashlib
import sys

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import languages, speech, voices
from data_pipelines.synthetic.speaking.phones import SILENCE

_DRAWS = 20_000  # of texts, for each language


@dataclasses.dataclass(frozen=True)
class Survey:
  """What a sample of speech and many draws of texts tell.

  Attributes:
    speakers: how many different speakers the split has on this machine.
    voices: how many voices, accents counted.
    spoken: clips that were spoken.
    distinct_texts: different texts among them.
    distinct_sounds: different waveforms among them.
    seconds: `(spoken,)` their lengths.
    sounding: mean share of their time that is not silence.
    loudness: `(spoken,)` root mean square of each.
    languages: language code to number of clips.
    styles: style to number of clips.
    texts: language code to different texts, at least.
  """

  speakers: int
  voices: int
  spoken: int
  distinct_texts: int
  distinct_sounds: int
  seconds: np.ndarray
  sounding: float
  loudness: np.ndarray
  languages: dict[str, int]
  styles: dict[str, int]
  texts: dict[str, int]

  @property
  def hours(self) -> float:
    """Of speech with different texts, one voice for each text, at least."""
    return sum(self.texts.values()) * float(np.mean(self.seconds)) / 3600


def distinct_texts(language: str, split: str, draws: int = _DRAWS) -> int:
  """How many different texts a split of a language holds at least."""
  rng = np.random.default_rng((draws, 59))
  counts = collections.Counter(
    languages.sentence(rng, language, split) for _ in range(draws)
  )
  # short texts meet often; the others are counted by how rarely they do
  pairs = sum(n * (n - 1) // 2 for n in counts.values())
  return max(len(counts), draws * (draws - 1) // (2 * max(pairs, 1)))


def survey(
  split: str,
  count: int,
  seed: int = 0,
  voice_names: tuple[str, ...] | None = None,
  draws: int = _DRAWS,
) -> Survey:
  """Speaks `count` clips as a corpus would and counts the texts of a split.

  Raises:
    UserError: no voice belongs to the split, or a program failed.
  """
  names = voices.voices_of(split, voice_names)
  said = []
  for index in range(count):
    rng = np.random.default_rng((seed, index, 61))
    said.append(voices.say(rng, split, voice_names))
  quiet = [
    sum(p.end - p.start for p in one.phones if p.name == SILENCE) / one.seconds
    for one in said
  ]
  codes = sorted({speech.language_of(name) for name in names})
  return Survey(
    speakers=len({voices.speaker_of(name) for name in names}),
    voices=len(names),
    spoken=count,
    distinct_texts=len({one.text for one in said}),
    distinct_sounds=len({hashlib.sha256(one.audio).digest() for one in said}),
    seconds=np.array([one.seconds for one in said]),
    sounding=1.0 - float(np.mean(quiet)),
    loudness=np.array([np.sqrt(np.mean(one.audio**2)) for one in said]),
    languages=dict(collections.Counter(one.language for one in said)),
    styles=dict(collections.Counter(one.style for one in said)),
    texts={code: distinct_texts(code, split, draws) for code in codes},
  )


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.synthetic.speech_hours', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  parser.add_argument('--split', default='train', choices=languages.SPLITS)
  parser.add_argument('--count', type=int, default=300, help='clips to speak')
  parser.add_argument('--seed', type=int, default=0)
  parser.add_argument('--voices', nargs='+', default=None, help='e.g. flite espeak')
  args = parser.parse_args(arguments)
  if args.count < 1:
    parser.error('--count must be 1 or more')
  try:
    names = tuple(args.voices) if args.voices else None
    found = survey(args.split, args.count, args.seed, names)
  except UserError as error:
    print(f'error: {error}', file=sys.stderr)
    return 1
  seconds = found.seconds
  print(f'{args.split}: {found.voices} voices of {found.speakers} speakers')
  print(
    f'spoken {found.spoken} clips, {seconds.sum() / 60:.1f} minutes; '
    f'{found.distinct_texts} different texts, {found.distinct_sounds} different sounds'
  )
  low, middle, high = np.percentile(seconds, [5, 50, 95])
  print(
    f'seconds: mean {seconds.mean():.2f}, 5 % {low:.2f}, median {middle:.2f}, '
    f'95 % {high:.2f}; {found.sounding:.0%} of the time sounds; '
    f'rms {found.loudness.min():.3f} to {found.loudness.max():.3f}'
  )
  for title, counts in (('languages', found.languages), ('styles', found.styles)):
    print(f'{title}: ' + ', '.join(f'{k} {n}' for k, n in sorted(counts.items())))
  texts = ', '.join(f'{code} {n}' for code, n in found.texts.items())
  print(f'different texts at least: {texts}')
  print(f'distinct speech: at least {found.hours:.0f} hours')
  return 0


if __name__ == '__main__':
  sys.exit(main())
