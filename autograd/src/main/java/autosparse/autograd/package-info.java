/** Reverse-mode differentiation over the engine's operators: a tape, functions, gradcheck. */
package autosparse.autograd;
