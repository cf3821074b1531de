"""The conformance kit: what every plugin and every model that it registers must hold, tried out.

    from layerwise.conformance.checking import check_plugin

    report = check_plugin(Registry(), "my-pets")
    print(report.as_markdown())

Each model is tried in a process of its own, in a home of its own, without network, and so that every file it opens
for writing is seen. A check that kills its process or never ends is a check that failed; the next ones go on.
"""
