import Glibc
import SluiceCommands

CommandLineEntry.prepare()
exit(await CommandLineEntry.run(Array(CommandLine.arguments.dropFirst())))
