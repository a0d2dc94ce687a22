"""Tagging and annotating over HTTP     (extra: web)

    guard        who may ask, how much and how long: around everything else
    server       a socket, uvicorn, and the end
    tagging      POST /tag and what goes with it
    annotating   the annotation page's questions
    learning     taggers trained in another process
    pages        HTML, CSS and JavaScript, served as they are
"""
