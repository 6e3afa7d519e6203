"""From a fitted scikit-learn model to one ONNX graph that gives the same answers.

skl2onnx walks the pipeline and converts the long tail. Where its own converters round to float32, drop the direction
that a missing value takes in a tree, or know no counterpart, ours stand in: `trees`, `boosting`, `lightgbm_trees`,
`encoders`. All work in double; trees cast to float32 where scikit-learn does.
"""
