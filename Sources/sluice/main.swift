import Glibc
import SluiceCommands
import SluiceCore

limitHeaps()
exit(await CommandLineEntry.run(Array(CommandLine.arguments.dropFirst())))
