package autosparse.costmodel.tokens;

/**
 * A task's schedules as rows of one table: schedules share most of their tokens, so each distinct
 * token is kept (and later encoded) once.
 *
 * @param table distinct tokens, [tokens][width]
 * @param sequences row indices of each schedule's tokens, in order
 */
public record TaskTokens(float[][] table, int[][] sequences) {}
