"""Makes tests/data/encoder_vectors.npy, what sentence-transformers gives for encoder_texts.jsonl: `make encoder`.

The weights are the public ones, as in knowledge/encoder/building.py, written out as a BERT of torch.
"""

import json
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from knowledge.encoder.building import PublicWeights, build_tokenizer, kept_pieces, public_weights

DATA = Path(__file__).parent / "data"
_LAYER_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_LAYER_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def written_out(weights: PublicWeights, name: str, rows: int) -> torch.Tensor:
    scales, numbers = weights.matrix(name, rows)
    return torch.from_numpy(((numbers - 8.0) * scales[..., None]).astype(np.float32).reshape(rows, -1))


def parameters(weights: PublicWeights, kept: list[int]) -> dict[str, torch.Tensor]:
    def vector(name: str) -> torch.Tensor:
        return torch.from_numpy(weights.vector(name))

    found = {
        "embeddings.word_embeddings.weight": written_out(weights, "emb.word", weights.vocabulary)[kept],
        "embeddings.position_embeddings.weight": vector("emb.pos").reshape(weights.positions, -1),
        "embeddings.token_type_embeddings.weight": vector("emb.type").reshape(-1, weights.hidden),
        "embeddings.LayerNorm.weight": vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": vector("emb.ln.b"),
    }
    for number in range(weights.layers):
        layer = f"encoder.layer.{number}."
        for short, name in _LAYER_MATRICES.items():
            rows = weights.inner if short == "fi" else weights.hidden
            found[f"{layer}{name}.weight"] = written_out(weights, f"l{number}.{short}.w", rows)
            found[f"{layer}{name}.bias"] = vector(f"l{number}.{short}.b")
        for short, name in _LAYER_NORMS.items():
            found[f"{layer}{name}.weight"] = vector(f"l{number}.{short}.w")
            found[f"{layer}{name}.bias"] = vector(f"l{number}.{short}.b")
    return found


def sentence_transformer(weights: PublicWeights, kept: list[int], folder: str) -> SentenceTransformer:
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.inner,
        max_position_embeddings=weights.positions,
        type_vocab_size=weights.kinds,
        layer_norm_eps=1e-12,
        pad_token_id=1,
    )
    model = BertModel(config)
    loaded = model.load_state_dict(parameters(weights, kept), strict=False)
    assert not loaded.unexpected_keys
    assert all(key.startswith("pooler") for key in loaded.missing_keys)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(weights, kept),
        model_max_length=weights.positions,
        **{"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>"},
        **{"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>", "split_special_tokens": True},
    ).save_pretrained(folder)
    return SentenceTransformer(modules=[Transformer(folder), Pooling(weights.hidden), Normalize()], device="cpu")


def main() -> None:
    records = [json.loads(line) for line in (DATA / "encoder_texts.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [f"{record['kind']}: {unicodedata.normalize('NFKC', record['text']).strip()}" for record in records]
    with TemporaryDirectory() as folder:
        model = sentence_transformer(public_weights(), kept_pieces(), folder)
        np.save(DATA / "encoder_vectors.npy", model.encode(texts, batch_size=1))


if __name__ == "__main__":
    main()
