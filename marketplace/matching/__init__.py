"""Who could solve what: ranking capabilities for challenges and needs, and the pages that show it.

`engine/` is a plain library; everything else here is the feature around it.
"""
