"""Measurable indicators (考核指标) as data, and the reading and comparing of quantities.

Plain Python: no Flask, no database. Rules, forms, matching and pages all use these types;
texts become terms elsewhere (`marketplace.language`), only numbers with units are read here.
"""
