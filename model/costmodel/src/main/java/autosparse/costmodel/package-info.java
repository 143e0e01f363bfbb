/**
 * The cost model: which of a matrix's schedules runs fastest, learned from measured ones.
 *
 * <p>{@code tokens} turns schedules into numbers, {@code network} scores them, {@code training}
 * fits and judges a network, {@code memory} has its tower fit a budget of bytes, {@code checkpoint}
 * keeps it, {@code pytorch} reads what others have published.
 */
package autosparse.costmodel;
