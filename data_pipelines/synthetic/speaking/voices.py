"""Who speaks what in which split: `say` draws a voice, a language, a text and a style.

Speakers and sentences are divided disjointly. A speaker is what listeners take for one
person: a voice of flite or Kokoro in all its languages, a throat of espeak-ng in all
its accents, a throat of the formant voice. Sentences are divided by their letters
(`languages.split_of_text`).
"""

import functools
from collections.abc import Sequence

import numpy as np

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import formant, languages, singing, speech
from data_pipelines.synthetic.speaking.languages import SPLITS

# Speakers that are kept for judging; all others are for learning. A throat of espeak-ng
# without a name (`espeak:de`) is its accent's first and learnt from.
_HELD_OUT = {
  'validation': {
    'espeak:Andrea', 'espeak:Gene', 'espeak:f3', 'espeak:grandpa', 'espeak:m4',
    'espeak:miguel', 'flite:kal16', 'kokoro:jf_nezumi',
  },
  'test': {
    'espeak:Lee', 'espeak:anika', 'espeak:f5', 'espeak:john', 'espeak:m6',
    'espeak:michel', 'espeak:steph', 'flite:awb', 'kokoro:jf_tebukuro',
  },
}  # fmt: skip
# The built-in throats of validation and test begin at these numbers.
_FORMANT_FROM = {'validation': 48, 'test': 54}

# How often a program speaks where it is installed: natural voices are slow, formant
# voices are for machines that have nothing else.
_SHARE = {'espeak': 0.5, 'flite': 0.35, 'kokoro': 0.08, 'formant': 0.03}
_SUNG = 0.05  # share of clips that are sung or hummed
# English is as frequent as so many other languages.
_ENGLISH = 4.0

_WOMEN = frozenset(
  (
    'f1 f2 f3 f4 f5 Alicia Andrea Annie anika aunty belinda grandma linda steph slt'
  ).split()
)


def speaker_of(voice: str) -> str:
  """`program:speaker`: `espeak:de+f2` and `espeak:en+f2` are one throat."""
  program, _, name = voice.partition(':')
  accent, plus, speaker = name.partition('+')
  if program in ('espeak', 'kokoro'):
    name = speaker if plus else ('' if program == 'espeak' else accent)
  return f'{program}:{name}'


def split_of_voice(voice: str) -> str:
  """The split that a voice's speaker belongs to."""
  speaker = speaker_of(voice)
  for split, names in _HELD_OUT.items():
    if speaker in names:
      return split
  program, _, name = speaker.partition(':')
  if program == 'formant' and name[1:].isdigit():
    number = int(name[1:])
    for split in ('test', 'validation'):
      if number >= _FORMANT_FROM[split]:
        return split
  return 'train'


def sex_of(voice: str) -> str:
  """`woman`, `man` or `child`, as far as the voice's maker says; else by its pitch."""
  program, _, name = speaker_of(voice).partition(':')
  if program == 'formant':
    who = formant.speaker(name)
    if who.pitch > 230 and who.scale >= 1.2:
      return 'child'
    return 'woman' if who.scale > 1.065 else 'man'
  if name == 'zac':
    return 'child'
  return 'woman' if name in _WOMEN or name.startswith('jf_') else 'man'


@functools.lru_cache(maxsize=32)
def voices_of(split: str, voices: tuple[str, ...] | None = None) -> tuple[str, ...]:
  """The voices of this machine that may speak in a split.

  Args:
    split: one of `languages.SPLITS`.
    voices: only these voices or programs (`flite`); None is all.

  Raises:
    UserError: none of them belongs to the split, or one is not on this machine.
  """
  if split not in SPLITS:
    raise UserError(f'split {split!r} is none of {", ".join(SPLITS)}')
  if voices is None:
    names = speech.available_voices(None)
  else:
    names = speech.check_voices(voices, None)
  found = tuple(name for name in names if split_of_voice(name) == split)
  if not found:
    raise UserError(
      f'none of the voices {", ".join((voices or names)[:6])} belongs to {split}; '
      'name a program, such as formant or espeak, instead of single voices'
    )
  return found


def draw_voice(
  rng: np.random.Generator, split: str, voices: Sequence[str] | None = None
) -> str:
  """A voice of a split: first a program, then a language, a speaker, an accent."""
  names = voices_of(split, None if voices is None else tuple(voices))
  programs = sorted({name.split(':')[0] for name in names})
  share = np.array([_SHARE[program] for program in programs])
  program = programs[int(rng.choice(len(programs), p=share / share.sum()))]
  names = [name for name in names if name.split(':')[0] == program]
  codes = sorted({speech.language_of(name) for name in names})
  share = np.array([_ENGLISH if code == 'en' else 1.0 for code in codes])
  code = codes[int(rng.choice(len(codes), p=share / share.sum()))]
  names = [name for name in names if speech.language_of(name) == code]
  speakers = sorted({speaker_of(name) for name in names})
  speaker = speakers[int(rng.integers(len(speakers)))]
  names = [name for name in names if speaker_of(name) == speaker]
  return names[int(rng.integers(len(names)))]


def draw_text(
  rng: np.random.Generator, split: str, language: str, count: int = 1
) -> str:
  """`count` sentences of a split, one after another."""
  return ' '.join(languages.sentence(rng, language, split) for _ in range(count))


def say(
  rng: np.random.Generator,
  split: str,
  voices: Sequence[str] | None = None,
  seconds: float = 0.0,
) -> speech.Speech:
  """Something said or sung by somebody, of a split's own voices and texts.

  Args:
    rng: draws everything.
    split: one of `languages.SPLITS`.
    voices: only these voices or programs; None is all of this machine. Songs are the
      formant voice's in any case.
    seconds: at least this long; a short sentence is followed by another one.

  Raises:
    UserError: no voice belongs to the split, or its program failed.
  """
  if rng.random() < _SUNG:
    singers = [v for v in voices_of(split) if v.startswith('formant:')]
    singer = singers[int(rng.integers(len(singers)))]
    text = draw_text(rng, split, 'en')
    return singing.sing(rng, singer, text, seconds)
  voice = draw_voice(rng, split, voices)
  language = speech.language_of(voice)
  twice = rng.random() < 0.25 and not voice.startswith('kokoro:')
  text = draw_text(rng, split, language, 1 + int(twice))
  while True:
    said = speech.speak(text, voice, rng)
    if said.seconds >= seconds:
      return said
    # a guess of how many more are needed, so that slow voices speak once more at most
    more = int(np.ceil((seconds - said.seconds) / max(said.seconds, 1.0)))
    text = f'{text} {draw_text(rng, split, language, more)}'
