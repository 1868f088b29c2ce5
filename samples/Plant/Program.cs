// A plant on one machine: three silos, each a process, and a client that has the pictures of several lines inspected.
//
//   dotnet run -c Release --project samples/Plant [-- --seconds 20 --lines 6 --silos 3 --callers 12 --postgres "Host=…;Database=…"]
//
// Without --postgres the silos find one another through the first one, and lines are forgotten with the silo that holds them.
using Plant;

return args.FirstOrDefault() == "silo" ? await SiloProgram.RunAsync(args[1..]) : await Client.RunAsync(Arguments.Parse(args));
