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
