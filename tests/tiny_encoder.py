"""A speech encoder of the right kind and of no use: its configuration in `transformers`."""

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}

NORMS_IN_FRONT = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
"""What XLS-R and the LV-60 encoders have over it."""


def save_encoder(folder, **settings):
    """A folder of a wav2vec 2.0 with new weights, as a hub has it."""
    import torch
    import transformers

    torch.manual_seed(1)
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**(TINY | settings)))
    model.save_pretrained(folder)
    return folder


TINY_WHISPER = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64}


def save_whisper(folder):
    """A folder of a whole Whisper with new weights, as a hub has it."""
    import torch
    import transformers

    torch.manual_seed(1)
    small = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 64, "vocab_size": 64}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    config = transformers.WhisperConfig(**TINY_WHISPER, **small, **ends)
    transformers.WhisperForConditionalGeneration(config).save_pretrained(folder)
    return folder


def save_text_encoder(folder, words):
    """A folder of a BERT with new weights that knows some words."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(1)
    tokenizer = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, **{w: i for i, w in enumerate(words, 2)}}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=16, **special).save_pretrained(
        folder
    )
    config = transformers.BertConfig(
        vocab_size=len(words) + 2,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder
