"""Sung words, held vowels and humming, by the formant voice.

A melody walks over a scale; every vowel is held on its note, notes glide into each
other and tremble once they are held (vibrato of 5 to 6.5 Hz, up to half a tone, as in
trained voices). Phones have exact times, so that lips can follow.
"""

import numpy as np

from data_pipelines.synthetic.speaking import formant
from data_pipelines.synthetic.speaking.phones import SILENCE, VOWELS, Phone
from data_pipelines.synthetic.speaking.sentences import text_phones
from data_pipelines.synthetic.speaking.speech import Speech, finish

_HOP = 0.005
_SCALES = {
  'major': (0, 2, 4, 5, 7, 9, 11),
  'minor': (0, 2, 3, 5, 7, 8, 10),
  'five': (0, 2, 4, 7, 9),
}
# What is sung instead of words.
_SYLLABLES = (
  'la',
  'na',
  'ma',
  'doo',
  'bee',
  'ba',
  'lo',
  'fa',
  'mee',
  'woh',
  'yah',
  'sha',
)
_HISSES = ('ch', 'sh', 's', 'z')
_VOWELS_HELD = ('aa', 'iy', 'uw', 'ow', 'eh', 'ao')


def _melody(rng: np.random.Generator, notes: int) -> np.ndarray:
  """`(notes,)` semitones above the singer's usual pitch: a walk over a scale."""
  scale = _SCALES[str(rng.choice(sorted(_SCALES)))]
  place = int(rng.integers(-2, len(scale)))
  tones = []
  for _ in range(notes):
    octave, step = divmod(place, len(scale))
    tones.append(12 * octave + scale[step])
    place = int(np.clip(place + rng.integers(-2, 3), -4, len(scale) + 3))
  return np.array(tones, float)


def _notes_of(words: list[tuple[str, ...]]) -> list[list[str]]:
  """Syllables: consonants and the vowel they lead to; the last takes what is left."""
  syllables: list[list[str]] = []
  for word in words:
    if word == (SILENCE,):
      syllables.append([SILENCE])
      continue
    start = len(syllables)
    waiting: list[str] = []
    for name in word:
      waiting.append(name)
      if name in VOWELS:
        syllables.append(waiting)
        waiting = []
    if waiting and len(syllables) > start:
      syllables[-1] += waiting
    elif waiting:  # a word without a vowel
      syllables.append(waiting)
  return syllables


def _lay_out(rng, syllables, beat) -> tuple[list[Phone], list[tuple[float, float]]]:
  """Phones with times on whole hops, and where each note starts and ends."""
  phones = [Phone(SILENCE, 0.0, 0.15)]
  notes = []
  for syllable in syllables:
    length = beat * float(rng.choice([0.5, 1.0, 1.0, 1.5, 2.0, 3.0]))
    start = phones[-1].end
    short = {
      name: 0.08 if name not in ('ch', 'sh', 's', 'z') else 0.11 for name in syllable
    }
    held = [name for name in syllable if name in VOWELS] or syllable[-1:]
    rest = sum(short[name] for name in syllable if name not in held)
    for name in syllable:
      seconds = max(length - rest, 0.18) / len(held) if name in held else short[name]
      if name == SILENCE:
        seconds = 0.3
      end = round((phones[-1].end + seconds) / _HOP) * _HOP
      phones.append(Phone(name, phones[-1].end, end))
    notes.append((start, phones[-1].end))
  phones.append(Phone(SILENCE, phones[-1].end, phones[-1].end + 0.2))
  return phones, notes


def _contour(rng, notes, tones, pitch, hops) -> np.ndarray:
  """`(hops,)` Hz: notes with glides of about 60 ms between them, and vibrato."""
  time = (np.arange(hops) + 0.5) * _HOP
  steps = np.full(hops, tones[0])
  tremble = np.zeros(hops)
  rate, depth = rng.uniform(5.0, 6.5), rng.uniform(0.1, 0.5)
  for (start, end), tone in zip(notes, tones, strict=True):
    inside = time >= start
    steps[inside] = tone
    late = np.clip((time - start - 0.15) / 0.2, 0, 1) * (inside & (time < end))
    tremble = np.where(inside, late, tremble)
  kernel = np.hanning(15) / np.hanning(15).sum()
  steps = np.convolve(np.pad(steps, 7, 'edge'), kernel, 'valid')
  phase = rng.uniform(0, 2 * np.pi)
  vibrato = depth * tremble * np.sin(2 * np.pi * rate * time + phase)
  return pitch * 2.0 ** ((steps + vibrato) / 12.0)


def sing(
  rng: np.random.Generator, voice: str, text: str, seconds: float = 0.0
) -> Speech:
  """A song: words, la-la, held vowels, or humming with closed lips.

  Args:
    rng: draws the kind, the melody and everything else.
    voice: a formant voice, `formant:s07`.
    text: English words, used where words are sung.
    seconds: at least this long.

  Returns:
    A `Speech` of style `singing` or `humming`; its text is what is sung.
  """
  who = formant.speaker(voice.partition(':')[2])
  kind = str(
    rng.choice(['words', 'syllables', 'vowels', 'humming'], p=[0.4, 0.3, 0.15, 0.15])
  )
  beat = float(rng.uniform(0.28, 0.5))
  wanted = max(seconds, float(rng.uniform(2.5, 6.0)))
  if kind == 'words':
    syllables, said = _notes_of(text_phones(text)), text
    while len(syllables) * beat < wanted:
      syllables += [[SILENCE], *_notes_of(text_phones(text))]
      said = f'{said} {text}'
  else:
    count = int(np.ceil(wanted / beat)) + 1
    if kind == 'syllables':
      some = rng.choice(_SYLLABLES, size=3, replace=False)
      words = [str(rng.choice(some)) for _ in range(count)]
      syllables = _notes_of(text_phones(' '.join(words)))
    elif kind == 'vowels':
      vowel = str(rng.choice(_VOWELS_HELD))
      words = [vowel]
      syllables = [[vowel] for _ in range(max(count // 2, 2))]
    else:
      words = ['mm']
      syllables = [['m'] for _ in range(count)]
    said = ' '.join(words)
  phones, notes = _lay_out(rng, syllables, beat)
  tones = _melody(rng, len(notes))
  hops = round(phones[-1].end / _HOP)
  contour = _contour(rng, notes, tones, who.pitch * rng.uniform(0.9, 1.2), hops)
  audio = formant.sound(phones, contour, who, rng)
  style = 'humming' if kind == 'humming' else 'singing'
  return finish(audio, phones, rng, text=said, voice=voice, language='en', style=style)
