import Glibc
import SluiceCommands

exit(await CommandLineEntry.run(Array(CommandLine.arguments.dropFirst())))
