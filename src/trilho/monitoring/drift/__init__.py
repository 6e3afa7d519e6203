"""How far production is from training: one method a file, each with its definition, its source and a run example.

Numbers     kolmogorov_smirnov (test)   wasserstein, population_stability (effects)   out_of_range
Categories  chi_squared (test)          jensen_shannon (effect)                       new_categories
Both        missing_share
In time     changed_since

All are functions of counts (`bundle.drift_profile`) and of nothing else: what order rows came in, and on how many
machines they were counted, changes no result.
"""
