"""rnntag: part-of-speech taggers trained on your own tagged corpus.

The modules, in the order in which data flows through them; each imports only from those above it:

    errors      what a user can get wrong
    files       files that are whole or absent
    datasets    corpora to fetch, pinned by their SHA-256
    corpus      Sentence; readers and writers
    vocab       strings to ids and back
    options     every option, its bounds and its default; the presets
    features    a word to its features; sentences to arrays
    layers      embedding, dense, dropout, softmax
    cells       Elman, GRU, LSTM: one step forward, one step back
    rnn         a cell over time
    output      softmax and CRF: loss, gradient, decoding
    network     all of it composed
    optim       SGD and its relatives, clipping, schedules, averaging
    hmm         the baseline
    vectors     word vectors: from untagged text, from a file
    tagger      the trained network with its vocabularies
    evaluation  how good the answers are
    modelfile   model folders
    trainer     epochs of stochastic gradient descent
    checkpoint  a run that is killed goes on where it was
    diagnose    how far back errors reach
    cli         the command line
"""

__version__ = "0.1.0"
