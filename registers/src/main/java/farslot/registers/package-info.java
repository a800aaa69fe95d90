/**
 * Register maps: the names, fields and access rules of a function's registers, and the text that
 * they make of an offset and a value. One description serves the device model (offsets, masks,
 * reset values), the decoder of traces, the guard and the documentation.
 *
 * <p>Our own maps are rules-ng-ng XML with attributes of the namespace {@value
 * farslot.registers.RegisterMapLoader#NAMESPACE} for what it lacks; maps from elsewhere, in
 * rules-ng-ng or CMSIS-SVD, give what they have, and what they do not say is unknown, which counts
 * as side-effecting. docs/register-maps.md says what of both is read.
 *
 * <p>Uses the JDK alone. Begin with {@code RegisterMap}, then {@code Register}; {@code
 * RegisterText} makes the text, {@code ConfigurationMap} joins the maps of capabilities, {@code
 * PciNames} knows who makes what. A map is loaded by {@code RegisterMapLoader}: {@code MapXml}
 * reads elements, {@code RulesNgBuilder} or {@code SvdBuilder} makes registers of them.
 */
package farslot.registers;
