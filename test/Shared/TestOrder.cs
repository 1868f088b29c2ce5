// Tensor counts are per process and libtorch spins on all cores: tests of one assembly run one after another.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
