"""The gallery with a stand-in for the product, and the portraits rendered for it."""

import shlex
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import vasa_jax
from experiments import gallery, make_portraits
from experiments.make_voices import wav_bytes
from vasa_jax.errors import UserError
from vasa_jax.inference.finding.portrait import find_portrait, load_picture
from vasa_jax.inference.media.video import VideoWriter

PAGE = gallery.Path(__file__).parents[2] / 'docs' / 'gallery' / 'README.md'
EXAMPLES = gallery.Path(vasa_jax.__file__).with_name('examples')

PEOPLE = (1, 6, 11, 14, 15, 24, 27, 30)
RENDERED = 'rendered by this project; nobody'
HOPPER = (
  'Commodore Grace M. Hopper, official portrait by James S. Davis, US Navy, 1984; '
  'public domain'
)


@pytest.fixture(scope='module')
def rendered(tmp_path_factory):
  folder = tmp_path_factory.mktemp('rendered')
  words = ['--out', str(folder), '--people', '2', '--size', '64']
  assert make_portraits.main(words) == 0
  return folder


@pytest.fixture
def talks(monkeypatch):
  """Videos of noise that grows brighter with the seed; what was asked for."""
  asked = []

  class StandIn:
    def portrait(self, path):
      return find_portrait(load_picture(EXAMPLES / 'portrait.jpg'), 64)

    def talk(self, portrait, audio, out, **settings):
      asked.append((portrait.name, audio.stem, settings))
      with VideoWriter(out, (64, 64), sound_rate=None) as writer:
        writer.write(np.full((20, 64, 64, 3), 40 * settings['seed'], np.uint8))
      return SimpleNamespace(frames=20)

  monkeypatch.setattr(gallery.TalkingFace, 'load', lambda path: StandIn())
  return asked


def test_a_rendered_portrait_says_so_and_repeats(rendered, tmp_path):
  path = rendered / '002.png'
  with Image.open(path) as image:
    assert image.size == (64, 64) and 'synthetic' in image.info['Comment']
  make_portraits.main(['--out', str(tmp_path), '--people', '2', '--size', '64'])
  assert (tmp_path / '002.png').read_bytes() == path.read_bytes()
  before = path.stat().st_mtime_ns
  make_portraits.main(['--out', str(rendered), '--count', '0', '--people', '2'])
  assert path.stat().st_mtime_ns == before  # what is there stays
  assert make_portraits.main(['--out', str(tmp_path), '--size', '20']) == 2


def test_every_portrait_says_every_voice(rendered, talks, tmp_path):
  for name in ('one', 'two'):
    (tmp_path / f'{name}.wav').write_bytes(wav_bytes(np.zeros(64_000)))
  voices = [str(tmp_path / 'one.wav'), str(tmp_path / 'two.wav')]
  out = tmp_path / 'out'
  words = ['--portraits', str(rendered), str(EXAMPLES), '--voices', *voices]
  assert gallery.main([*words, '--note', 'a\n b', '--out', str(out)]) == 0
  plain = [(p, v, s['seed']) for p, v, s in talks if len(s) == 1]
  people = ('002.png', 'portrait.jpg')
  assert plain == [(p, v, i) for p in people for i, v in enumerate(('one', 'two'))]
  controls = [s for _, _, s in talks if len(s) > 1]
  assert len(controls) == 30 and {'gaze': [-20.0, 0.0], 'seed': 0} in controls
  page = (out / 'README.md').read_text()
  assert 'rendered by this project; nobody' in page and 'Eileen Collins' in page
  assert page.splitlines().index('a b') == 4
  with Image.open(out / '002.webp') as image:
    sheet = np.asarray(image, np.int16)
  shown = sheet[100::174, 504]  # a frame of each voice; their brightness is the seed's
  assert np.abs(shown[:2].mean(1) - [0, 40]).max() < 8
  assert (out / 'controls.webp').is_file()


def test_the_page_in_docs_is_what_the_command_of_the_docstring_writes():
  command = gallery.__doc__.split('\n\n')[1]
  words = shlex.split(command[command.index('--portraits') :])
  args = gallery.parse(words)
  assert PAGE.parent == PAGE.parents[2] / args.out
  portrait = EXAMPLES / 'portrait.jpg'
  about = {gallery.Path(f'{n:03d}.png'): RENDERED for n in PEOPLE}
  about |= {gallery.Path('grace_hopper.jpg'): HOPPER}
  about |= gallery.captions([portrait])
  assert gallery.page(about, args.note) == PAGE.read_text()
  without = gallery.page(about)
  assert len(PAGE.read_text().splitlines()) == len(without.splitlines()) + 1


def test_a_missing_voice_is_named(rendered, talks, tmp_path, capsys):
  words = ['--portraits', str(rendered), '--voices', 'nobody.wav']
  assert gallery.main([*words, '--out', str(tmp_path / 'out')]) == 1
  assert 'nobody.wav' in capsys.readouterr().err
  assert not (tmp_path / 'out').exists()
  with pytest.raises(UserError, match='SOURCES|no folder'):
    gallery.find_files(tmp_path / 'gone', gallery.PICTURES, 'portraits')
