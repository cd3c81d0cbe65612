"""Writes hearing.npz and checkpoints of small random nets, as PyTorch hears with them.

    python tests/audio/references/make_hearing.py

Needs torch, transformers and openai-whisper; tests do not. The nets are the published
ones, narrow, every array random so that each matters, saved as their makers save them:

    base      Wav2Vec2ForCTC, safetensors: `wav2vec2.` before the names, a head beside
    large     Wav2Vec2Model, pytorch_model.bin with the old `weight_g`, `weight_v`
    hubert    HubertForCTC, safetensors
    whisper   WhisperModel, safetensors; whisper.pt is the same kind by openai
"""

import pathlib

import numpy as np
import torch
import transformers
import whisper

HERE = pathlib.Path(__file__).parent
LENGTHS = (7013, 8000, 3210)
SMALL = dict(
  hidden_size=24,
  num_hidden_layers=3,
  num_attention_heads=3,
  intermediate_size=40,
  conv_dim=(12,) * 7,
  num_conv_pos_embeddings=8,
  num_conv_pos_embedding_groups=4,
  vocab_size=5,
  attn_implementation='eager',
)
LARGE = dict(
  SMALL, conv_bias=True, feat_extract_norm='layer', do_stable_layer_norm=True
)
OLD = {
  'parametrizations.weight.original0': 'weight_g',
  'parametrizations.weight.original1': 'weight_v',
}


def randomise(net):
  """Values that float16 can hold, so that files can be small."""
  with torch.no_grad():
    for value in net.state_dict().values():
      if value.dim() > 1:
        value.normal_(0, value[0].numel() ** -0.5)
      else:
        value.normal_(0, 0.3).add_(1.0 if value.mean() > 0.5 else 0.0)
      value.copy_(value.half().float())
  return net.eval()


def speech():
  """Something with pitch and pauses, zeros after each end."""
  random = np.random.default_rng(0)
  t = np.arange(max(LENGTHS)) / 16_000
  batch = np.zeros((len(LENGTHS), len(t)), np.float32)
  for i, n in enumerate(LENGTHS):
    voice = np.sin(2 * np.pi * (120 + 40 * i) * t) ** 3 * np.sin(9 * t) ** 2
    batch[i, :n] = (voice + 0.05 * random.normal(size=len(t)))[:n]
  return batch


def states(output):
  # Since transformers 5 the last of the large layout's states lacks the final norm.
  last = output.last_hidden_state
  return np.stack([s.numpy() for s in (*output.hidden_states[:-1], last)])


def main():
  torch.manual_seed(0)
  batch = speech()
  mask = torch.arange(batch.shape[1]) < torch.tensor(LENGTHS)[:, None]
  found = {'samples': batch, 'lengths': np.array(LENGTHS)}
  nets = {
    'base': transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**SMALL)),
    'large': transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**LARGE)),
    'hubert': transformers.HubertForCTC(transformers.HubertConfig(**SMALL)),
  }
  for name, net in nets.items():
    randomise(net)
    folder = HERE / name
    trunk = getattr(net, net.base_model_prefix, net)
    with torch.no_grad():
      given = dict(output_hidden_states=True)
      padded = trunk(torch.from_numpy(batch), attention_mask=mask.long(), **given)
      found[f'{name}_padded'] = states(padded)
      for i, n in enumerate(LENGTHS):
        alone = torch.from_numpy(batch[i : i + 1, :n])
        found[f'{name}_{i}'] = states(trunk(alone, **given))
    net.half().save_pretrained(folder)
    (folder / 'model.safetensors.index.json').unlink(missing_ok=True)
    if name == 'large':
      (folder / 'model.safetensors').unlink()
      state = net.state_dict()
      for new, old in OLD.items():
        state = {key.replace(new, old): value for key, value in state.items()}
      torch.save(state, folder / 'pytorch_model.bin')

  extractor = transformers.WhisperFeatureExtractor(chunk_length=1)
  voice = batch[1]
  mel = extractor(voice, sampling_rate=16_000, return_tensors='pt').input_features
  found['mel'] = mel[0].T.numpy()
  config = transformers.WhisperConfig(
    d_model=64,
    encoder_layers=2,
    encoder_attention_heads=4,
    encoder_ffn_dim=64,
    decoder_layers=1,
    decoder_ffn_dim=8,
    decoder_attention_heads=1,
    vocab_size=8,
    max_source_positions=50,
    max_target_positions=4,
    pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0,
    attn_implementation='eager',
  )  # fmt: skip
  net = randomise(transformers.WhisperModel(config))
  with torch.no_grad():
    found['whisper'] = states(net.encoder(mel, output_hidden_states=True))
  net.half().save_pretrained(HERE / 'whisper')

  dims = whisper.ModelDimensions(80, 50, 64, 1, 2, 8, 4, 8, 1, 1)
  net = randomise(whisper.model.Whisper(dims))
  with torch.no_grad():
    found['openai'] = net.encoder(mel).numpy()
  torch.save(
    {'dims': vars(dims), 'model_state_dict': net.half().state_dict()},
    HERE / 'whisper.pt',
  )
  np.savez_compressed(HERE / 'hearing.npz', **found)


if __name__ == '__main__':
  main()
