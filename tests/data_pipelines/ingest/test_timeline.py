"""Pictures and sound on one clock, whatever the file does."""

import struct

import numpy as np
import pytest

from data_pipelines.ingest.picture import Square, crop, from_frame, part, small
from data_pipelines.ingest.sound import Sound
from data_pipelines.ingest.timeline import BrokenFile, Timeline
from tests.data_pipelines.ingest import drawn_videos as drawn


def numbered(count: int, h: int = 48, w: int = 96) -> list[np.ndarray]:
  frames = []
  for i in range(count):
    picture = np.full((h, w, 3), 128, np.uint8)
    drawn.cells(picture, i)
    frames.append(picture)
  return frames


def shown(path) -> list[tuple[int, int]]:
  """(index on the clock, number in the picture) of everything that is shown."""
  return [(s.index, drawn.read_cells(s.picture.y)) for s in Timeline(path)]


def expected(times, end: float) -> list[tuple[int, int]]:
  """What is on the screen at (i + 1/2) / 25 s after the first picture."""
  times = np.asarray(times) - times[0]
  count = int(np.ceil((end - 1e-9) * 25 - 0.5))
  at = (np.arange(count) + 0.5) / 25
  return [(i, int(np.searchsorted(times, t, 'right')) - 1) for i, t in enumerate(at)]


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
def test_a_file_of_25_a_second_is_taken_as_it_is(tmp_path, suffix):
  path = drawn.write(tmp_path / f'a.{suffix}', numbered(60))
  assert shown(path) == [(i, i) for i in range(60)]


@pytest.mark.parametrize('fps', [24, 30, 50, 240])
def test_other_rates_show_what_a_player_would(tmp_path, fps):
  path = drawn.write(tmp_path / 'a.mkv', numbered(fps), fps=fps)
  found = shown(path)
  want = expected(np.arange(fps) / fps, 1.0)
  # Matroska rounds to milliseconds
  agree = sum(a == b for a, b in zip(found, want, strict=True))
  assert agree >= len(want) - 1


def test_a_variable_rate_is_followed(tmp_path):
  rng = np.random.default_rng(3)
  times = np.cumsum(rng.uniform(0.012, 0.09, 80)).round(3)
  path = drawn.write(tmp_path / 'a.mkv', numbered(80), times=times)
  found = shown(path)
  want = expected(times, times[-1] - times[0] + 0.04)
  assert found[: len(want) - 3] == want[: len(want) - 3]


@pytest.mark.parametrize('start', [-0.5, 0.48, 100.0])
def test_where_the_clock_of_a_file_starts_is_no_matter(tmp_path, start):
  times = start + np.arange(50) / 25
  sound = drawn.clicks(2.0)
  path = drawn.write(
    tmp_path / 'a.mkv', numbered(50), times=times, sound=sound, sound_start=start
  )
  timeline = Timeline(path)
  pictures = [(s.index, drawn.read_cells(s.picture.y)) for s in timeline]
  assert pictures == [(i, i) for i in range(50)]
  heard = Sound(path, timeline.zero).read(0, 32000)
  assert_clicks(heard, [0.25, 0.75, 1.25, 1.75])


def assert_clicks(heard: np.ndarray, times) -> None:
  """Bursts lie at `times`, to half a millisecond, and nowhere else."""
  loud = np.flatnonzero(np.abs(heard.astype(int)) > 5000) / 16000
  groups = np.split(loud, np.flatnonzero(np.diff(loud) > 0.05) + 1)
  found = [float(group.mean()) for group in groups]
  assert len(found) == len(times)
  np.testing.assert_allclose(found, times, atol=5e-4)


@pytest.mark.parametrize('late', [-0.3, 0.0, 0.2])
@pytest.mark.parametrize('rate', [44100, 48000])
def test_sound_that_starts_elsewhere_stays_with_the_pictures(tmp_path, late, rate):
  sound = drawn.clicks(2.0, rate=rate)
  path = drawn.write(
    tmp_path / 'a.mkv', numbered(50), times=1 + np.arange(50) / 25, sound=sound,
    sound_start=1 + late, rate=rate,
  )  # fmt: skip
  timeline = Timeline(path)
  assert sum(1 for _ in timeline) == 50
  heard = Sound(path, timeline.zero).read(0, 32000)
  assert_clicks(heard, [t + late for t in (0.25, 0.75, 1.25, 1.75) if 0 < t + late < 2])


def test_the_padding_of_aac_is_taken_off(tmp_path):
  path = drawn.write(tmp_path / 'a.mp4', numbered(50), sound=drawn.clicks(2.0))
  heard = Sound(path, 0.0).read(0, 32000)
  assert_clicks(heard, [0.25, 0.75, 1.25, 1.75])


def test_an_edit_list_is_obeyed(tmp_path):
  """What lies before zero is in an MP4, but is not to be shown."""
  path = drawn.write(
    tmp_path / 'a.mp4', numbered(50), times=np.arange(50) / 25 - 1,
    sound=drawn.clicks(2.0), sound_start=-1.0,
  )  # fmt: skip
  timeline = Timeline(path)
  pictures = [(s.index, drawn.read_cells(s.picture.y)) for s in timeline]
  assert pictures == [(i, i + 25) for i in range(25)]
  assert_clicks(Sound(path, timeline.zero).read(0, 16000), [0.25, 0.75])


def test_a_hole_in_the_sound_is_silence(tmp_path):
  import fractions

  import av

  path = tmp_path / 'a.mkv'
  sound = (drawn.clicks(3.0) * 32767).astype(np.int16)
  with av.open(str(path), 'w') as box:
    audio = box.add_stream('pcm_s16le', rate=48000, layout='mono')
    for k in range(0, len(sound), 960):
      if 48000 <= k < 96000:  # the second second was never recorded
        continue
      frame = av.AudioFrame.from_ndarray(
        sound[None, k : k + 960], format='s16', layout='mono'
      )
      frame.sample_rate, frame.pts = 48000, k
      frame.time_base = fractions.Fraction(1, 48000)
      box.mux(audio.encode(frame))
    box.mux(audio.encode(None))
  reader = Sound(path, 0.0)
  parts = [reader.read(s, 1600) for s in range(0, 48000, 1600)]
  assert_clicks(np.concatenate(parts), [0.25, 0.75, 2.25, 2.75])


def test_a_file_without_sound_is_silent(tmp_path):
  path = drawn.write(tmp_path / 'a.mp4', numbered(10))
  sound = Sound(path, 0.0)
  assert not sound.read(0, 640).any() and not sound.there and sound.tracks == 0


def test_a_gap_in_the_time_stamps_is_a_cut_and_not_a_frozen_picture(tmp_path):
  times = np.arange(50) / 25
  times[25:] += 1000.0
  found = shown(drawn.write(tmp_path / 'a.mkv', numbered(50), times=times))
  assert [n for _, n in found if n < 25] == [*range(25), 24, 24][: len(found) - 25]
  assert [i for i, n in found if n >= 25] == list(range(25025, 25050))
  assert len(found) <= 53


def test_a_phone_held_upright_gives_upright_pictures(tmp_path):
  """The matrix in the track's head says how to turn; PyAV cannot write it."""
  path = drawn.write(tmp_path / 'a.mp4', numbered(5))
  data = bytearray(path.read_bytes())
  at = data.index(b'tkhd') + 4 + 40
  turn = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)  # 90 degrees clockwise
  data[at : at + 36] = struct.pack('>9i', *turn)
  path.write_bytes(data)
  pictures = [s.picture for s in Timeline(path)]
  assert pictures[0].y.shape == (96, 48)
  # the row of cells was below: clockwise it is at the left
  back = [drawn.read_cells(np.rot90(p.y)) for p in pictures]
  assert back == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
  ('pix_fmt', 'matrix', 'span'),
  [('yuv420p', 1, 1), ('yuv420p', 5, 1), ('yuvj420p', 5, 2), ('yuv444p', 1, 1)],
)
def test_colours_come_back(pix_fmt, matrix, span):
  import av
  from av.video.reformatter import ColorRange, Colorspace

  colours = np.array([(200, 40, 60), (30, 180, 70), (50, 60, 210), (128, 128, 128)])
  picture = np.repeat(np.repeat(colours.reshape(2, 2, 3), 32, 0), 32, 1)
  frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format='rgb24')
  frame = frame.reformat(
    format=pix_fmt, dst_colorspace=Colorspace(matrix), dst_color_range=ColorRange(span)
  )
  frame.colorspace, frame.color_range = matrix, span
  found = from_frame(frame)
  for rgb in (
    crop(found, Square(32, 32, 64), 64),
    crop(found, Square(32.4, 31.7, 60), 50),
    small(found, 40),
  ):
    n = len(rgb)
    for k, (i, j) in enumerate(((1, 1), (1, 3), (3, 1), (3, 3))):
      assert np.abs(rgb[i * n // 4, j * n // 4] - colours[k]).max() <= 5


def test_a_part_gives_the_same_crop_as_the_whole():
  import av

  rng = np.random.default_rng(0)
  noise = rng.integers(0, 255, (90, 120, 3)).astype(np.uint8)
  picture = from_frame(av.VideoFrame.from_ndarray(noise, format='rgb24'))
  for square in (Square(60, 44, 40), Square(33.3, 51.2, 27.5)):
    piece = part(picture, square._replace(side=square.side + 16).box)
    assert piece.y.size < picture.y.size / 2
    a, b = (crop(p, square, 32).astype(int) for p in (picture, piece))
    assert np.abs(a - b).max() <= 1


def test_a_part_of_a_large_face_is_kept_no_finer_than_needed():
  import av

  y, x = np.mgrid[:270, :480]
  smooth = np.stack([x / 2, 0.9 * y, 255 - x / 2], -1).astype(np.uint8)
  picture = from_frame(av.VideoFrame.from_ndarray(smooth, format='rgb24'))
  for square in (
    Square(240, 150, 200),
    Square(61.3, 70.9, 180.5),
    Square(404, 178, 150),
  ):
    box = square._replace(side=1.35 * square.side).box
    piece = part(picture, box, 3)
    assert piece.y.size < 1.35**2 * square.side**2 / 8
    a, b = (crop(p, square, 60).astype(int) for p in (picture, piece))
    inside = np.abs(a - b)[4:-4, 4:-4]  # what is mirrored is so in coarser steps
    assert inside.mean() < 1 and np.percentile(inside, 99) <= 4


def test_wide_pixels_are_made_square():
  import av

  picture = np.zeros((64, 64, 3), np.uint8)
  picture[:, 32:] = 255
  whole = from_frame(av.VideoFrame.from_ndarray(picture, format='rgb24'))
  wide = whole._replace(aspect=2.0)
  assert wide.width == 128 and small(wide, 128).shape == (64, 128, 3)
  rgb = crop(wide, Square(64, 32, 60), 60)
  edge = int((rgb[30, :, 0] < 128).sum())
  assert abs(edge - 30) <= 1


def test_files_that_are_none(tmp_path):
  empty, text = tmp_path / 'a.mp4', tmp_path / 'b.mp4'
  empty.write_bytes(b'')
  text.write_text('not a video ' * 50)
  sound = drawn.write(tmp_path / 'c.mp4', numbered(2), sound=drawn.clicks(0.5))
  for path, why in (
    (empty, 'empty'), (text, 'not a video'), (tmp_path / 'no', 'no such file'),
  ):  # fmt: skip
    with pytest.raises(BrokenFile, match=why):
      list(Timeline(path))
  data = sound.read_bytes().replace(b'avc1', b'none')
  sound.write_bytes(data)
  with pytest.raises(BrokenFile):
    list(Timeline(sound))
