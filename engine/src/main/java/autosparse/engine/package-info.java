/**
 * Tensors, the memory under them and the operators over them.
 *
 * <p>A {@link autosparse.engine.Device} owns one reserved range of memory, a root {@link
 * autosparse.engine.TensorScope} that hands it out, and the {@link autosparse.engine.Operators}
 * that run there.
 */
package autosparse.engine;
