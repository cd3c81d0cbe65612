import itertools

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking import formant, phones, sentences, speech

TEXT = 'Put the big map above five thin sheets, please.'


def voices():
  """One voice of every program that this machine has, and some formant voices."""
  first = {voice.split(':')[0]: voice for voice in reversed(speech.available_voices())}
  if 'espeak' in first:
    first['espeak'] = 'espeak:en-us'
  named = (
    'formant:child',
    'formant:man',
    'formant:woman',
    'formant:s07',
    'formant:s58',
  )
  return sorted({*first.values(), *named})


@pytest.mark.parametrize('voice', voices())
def test_speech_is_a_function_of_its_arguments(voice):
  text = 'Papa!' if voice.startswith('kokoro') else TEXT
  one = speech.speak(text, voice, np.random.default_rng(3))
  speech.speak('No!', voice, np.random.default_rng(0))
  two = speech.speak(text, voice, np.random.default_rng(3))
  np.testing.assert_array_equal(one.audio, two.audio)
  assert one.phones == two.phones
  other = speech.speak(text, voice, np.random.default_rng(4))
  assert len(other.audio) != len(one.audio)  # another tempo


@pytest.mark.parametrize('voice', voices())
def test_phones_tile_the_sound_and_know_where_it_is_loud(voice):
  said = speech.speak(TEXT, voice, np.random.default_rng(1))
  assert said.audio.dtype == np.float32 and 0.2 < np.abs(said.audio).max() < 0.9
  assert 1.5 < said.seconds < 6
  assert said.phones[0].start == 0
  assert abs(said.phones[-1].end - said.seconds) < 1e-6
  for a, b in itertools.pairwise(said.phones):
    assert a.end == b.start and a.start < a.end
  names = [phone.name for phone in said.phones]
  assert set(names) <= set(phones.PHONES)
  spoken = ' '.join(name for name in names if name != 'sil')
  assert spoken.startswith('p uh t dh') and 'b ih g m ae p' in spoken

  def loudness(keep):
    parts = [
      said.audio[int(p.start * 16000) : int(p.end * 16000)]
      for p in said.phones
      if keep(p.name)
    ]
    return np.sqrt(np.mean(np.concatenate(parts) ** 2))

  vowels = loudness(lambda name: name in phones.VOWELS)
  assert vowels > 4 * loudness(lambda name: name == 'sil')
  assert vowels > 1.5 * loudness(lambda name: name in ('p', 't', 'f', 'th'))


def test_the_formant_voice_has_formants():
  rng = np.random.default_rng(0)
  peaks = {}
  for word, vowel in (('bee', 'iy'), ('bar', 'aa')):
    audio, timed = formant.synthesize(word, 'man', 0.5, 1.0, rng)
    (phone,) = [p for p in timed if p.name in phones.VOWELS]
    part = audio[int((phone.start + 0.03) * 16000) : int((phone.end - 0.03) * 16000)]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 16000)) ** 2
    low, high = power[900:1300].sum(), power[2100:2500].sum()
    peaks[vowel] = (high / low, 200 + int(power[200:1000].argmax()))
  assert peaks['iy'][0] > 5 * peaks['aa'][0]  # the second formant of `ee` is high
  assert peaks['aa'][1] > peaks['iy'][1] + 200  # the first one of `ah` is


def test_a_missing_voice_is_one_line():
  for voice in ('flite:nobody', 'nothing:at-all', 'formant:giant'):
    with pytest.raises(UserError, match='no voice') as caught:
      speech.speak(TEXT, voice, np.random.default_rng(0))
    assert '\n' not in str(caught.value)
  with pytest.raises(UserError, match='name one voice'):
    speech.speak(TEXT, 'formant', np.random.default_rng(0))
  with pytest.raises(UserError, match='empty'):
    speech.speak('  ', 'formant:man', np.random.default_rng(0))


def test_a_program_name_stands_for_its_voices():
  found = speech.check_voices(('formant',))
  assert found[:3] == ('formant:child', 'formant:man', 'formant:s00')
  assert len(found) == len(set(found)) == formant.SPEAKERS + 3
  # named twice is there once; other languages must be asked for
  assert speech.check_voices(('formant:man', 'formant')) == (
    'formant:man', *(voice for voice in found if voice != 'formant:man'),
  )  # fmt: skip
  everything = speech.available_voices(None)
  assert set(speech.available_voices()) <= set(everything)
  assert {speech.language_of(v) for v in speech.available_voices()} == {'en'}


def test_trimming_cuts_sound_and_phones_alike():
  said = speech.speak(TEXT, 'formant:man', np.random.default_rng(2))
  short = speech.trim(said, 16_000)
  assert len(short.audio) == 16_000 and short.audio[-1] == 0
  assert short.phones[-1].end == 1.0
  np.testing.assert_array_equal(short.audio[:15_000], said.audio[:15_000])
  assert speech.trim(said, 10**9) is said


@pytest.mark.parametrize(
  ('symbol', 'names'),
  [
    ('tʃ', ('ch',)), ('iː', ('iy',)), ('aɪɚ', ('ay', 'er')), ('əl', ('l',)),
    ('n̩', ('n',)), ('', ('sil',)), ('ˈɡ', ('g',)), ('ɔːɹ', ('ao', 'r')),
    ('ʦ', ('t', 's')), ('(en)', ('sil',)), ('ts.', ('ch',)), ('ɐ̃ʊ̃', ('ax', 'uh')),
  ],
)  # fmt: skip
def test_ipa_becomes_arpabet(symbol, names):
  assert phones.from_ipa(symbol) == names


def test_ipa_of_other_languages():
  assert phones.from_ipa('r') == ('r',) and phones.from_ipa('r', 'pl') == ('d',)
  assert phones.from_ipa('ʁ', 'fr') == ('g',) and phones.from_ipa('yː', 'de') == ('uw',)
  assert phones.from_ipa('ɟ', 'hi') == ('jh',) and phones.from_ipa('ɟ', 'tr') == ('g',)
  assert phones.knows_ipa('tʃʲ', 'ru') and not phones.knows_ipa('ʘ')


def test_flite_names_become_arpabet():
  assert [phones.from_flite(n) for n in ('pau', 'dx', 'axr', 'B', '??')] == [
    'sil', 'd', 'er', 'b', 'ax',
  ]  # fmt: skip


def test_sentences_are_different_and_repeatable():
  one, two, other = (
    list(itertools.islice(sentences.sentences(seed), 500)) for seed in (1, 1, 2)
  )
  assert one == two and len(set(one)) == 500
  assert len(set(one) & set(other)) < 5
  lengths = [len(text.split()) for text in one]
  assert min(lengths) >= 1 and max(lengths) <= 45
  assert sum(length < 5 for length in lengths) > 20  # short ones
  assert sum(length > 15 for length in lengths) > 50  # and long ones
  ends = [text[-1] for text in one]
  assert {'.', '?', '!', '"'} == set(ends)
  assert all(text.lstrip('"')[0].isupper() for text in one)


def test_sentences_show_nearly_every_phone():
  heard = set()
  for text in itertools.islice(sentences.sentences(0), 200):
    heard |= {name for word in sentences.text_phones(text) for name in word}
  assert heard <= set(phones.PHONES)
  assert len(set(phones.PHONES) - heard) <= 2


@pytest.mark.parametrize(
  ('word', 'said'),
  [
    ('ship', 'sh ih p'), ('home', 'hh ow m'), ('book', 'b uw k'), ('the', 'dh ax'),
    ('map', 'm ae p'), ('photo', 'f aa t aa'), ('window', 'w ih n d ow'),
    ('table', 't ae b ax l'), ("o'clock", 'aa k l aa k'), ('', ''),
  ],
)  # fmt: skip
def test_letters_become_readable_lips(word, said):
  assert ' '.join(sentences.word_phones(word)) == said


def test_commas_pause():
  words = sentences.text_phones('Maybe, we go.')
  assert words[1] == ('sil',) and words[-1] != ('sil',)
