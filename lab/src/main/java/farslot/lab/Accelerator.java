package farslot.lab;

/** How QEMU runs a guest's instructions. */
public enum Accelerator {
    /** By the processor itself, through Linux's /dev/kvm. */
    KVM("kvm"),
    /** By translation: slower, works everywhere. */
    TCG("tcg");

    private final String word;

    Accelerator(String word) {
        this.word = word;
    }

    /** QEMU's own word for it, as after -accel. */
    public String word() {
        return word;
    }
}
