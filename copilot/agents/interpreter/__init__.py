"""The built-in interpreter: understands planners' questions over the vocabulary, without key, network or weights.

`reading.read` turns a question into tool calls, a question back, or a refusal; `chat_model` wraps it as
a LangChain chat model. Everything but `chat_model` is pure: no database, no clock, no model.
"""
