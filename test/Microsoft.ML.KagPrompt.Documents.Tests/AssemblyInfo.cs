// Snippets run in the working directory that their pages speak of, and a process has one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
