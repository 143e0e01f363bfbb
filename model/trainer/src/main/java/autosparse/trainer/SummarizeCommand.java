package autosparse.trainer;

import autosparse.trainer.run.ResultsFile;
import autosparse.trainer.run.ResultsFile.Result;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code summarize}: the results of several runs in one table. */
@Command(
    name = "summarize",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Put the results of several finished runs in one table.",
      "The runs of a leave-one-matrix-out (one `train --split base --held-out NAME` each), or of",
      "several seeds."
    },
    footerHeading = "%nExample:%n",
    footer = "  java -jar target/trainer.jar summarize runs/without-cca runs/without-bcsstk38")
final class SummarizeCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Parameters(arity = "1..*", paramLabel = "RUN", description = "Folders of finished runs.")
  private List<Path> runs;

  @Override
  public Integer call() {
    List<Result> results = new ArrayList<>();
    for (Path run : runs) {
      results.addAll(ResultsFile.read(RunFolder.resultsOf(run)));
    }
    new RunsTable(results).lines().forEach(main::print);
    return 0;
  }
}
